package ssm

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// The parts of the schema of session documents. AWS documents the fields; how
// strict it is with others has not been seen on a real account, so all that is
// not documented is refused.

// check refuses a value; where says which it is.
type check func(where string, value any) error

var sessionFields = map[string]check{
	"schemaVersion": text, "description": text, "sessionType": text,
	"inputs": object(inputFields), "parameters": eachOf(parameter), "properties": anything,
}

var inputFields = map[string]check{
	"s3BucketName": text, "s3KeyPrefix": text, "s3EncryptionEnabled": flag,
	"cloudWatchLogGroupName": text, "cloudWatchEncryptionEnabled": flag, "cloudWatchStreamingEnabled": flag,
	"kmsKeyId": text, "runAsEnabled": flag, "runAsDefaultUser": text,
	"idleSessionTimeout": minutes(60), "maxSessionDuration": minutes(1440),
	"shellProfile": object(map[string]check{"windows": text, "linux": text}),
}

var parameterFields = map[string]check{
	"type": oneOf("String", "StringList", "Boolean", "Integer", "StringMap", "MapList"), "description": text, "default": anything,
	"allowedPattern": text, "allowedValues": list(anything), "displayType": oneOf("textfield", "textarea"), "minItems": count, "maxItems": count,
	"minChars": count, "maxChars": count, "interpolationType": oneOf("ENV_VAR"),
}

// defaults check the default of a parameter by its type.
var defaults = map[string]check{
	"String": text, "StringList": list(text), "Boolean": flag, "Integer": integer, "StringMap": eachOf(anything), "MapList": list(eachOf(anything)),
}

// parameter checks the definition of one parameter.
func parameter(where string, value any) error {
	if err := object(parameterFields)(where, value); err != nil {
		return err
	}
	members, _ := value.(map[string]any)
	kind, _ := members["type"].(string)
	isDefault, known := defaults[kind]
	if !known {
		return invalidContent("The parameter %s has no type.", where)
	}
	if is, ok := members["default"]; ok {
		return isDefault("default of "+where, is)
	}
	return nil
}

// propertyFields are the properties by session type.
var propertyFields = map[string]map[string]check{
	"InteractiveCommands":    commandFields,
	"NonInteractiveCommands": commandFields,
	"Port": {
		"portNumber": text, "localPortNumber": text, "host": text, "type": oneOf("LocalPortForwarding"), "localConnectionType": text, "localUnixSocket": text,
	},
}

var commandFields = map[string]check{"linux": commands, "windows": commands, "macOS": commands}

var commands = object(map[string]check{"commands": textOrTexts, "runAsElevated": flag})

// checkSession checks the content of a session document.
func checkSession(fields map[string]any) error {
	if version, _ := fields["schemaVersion"].(string); version != sessionSchema {
		return invalid("InvalidDocumentSchemaVersion", "The schema version %q is not supported for documents of type Session; 1.0 is.", fields["schemaVersion"])
	}
	if err := object(sessionFields)("the document", fields); err != nil {
		return err
	}
	kind, _ := fields["sessionType"].(string)
	if kind == "Standard_Stream" {
		return withoutProperties(fields)
	}
	properties, known := propertyFields[kind]
	if !known {
		return invalidContent("The session type %q is not supported.", kind)
	}
	if _, ok := fields["properties"]; !ok {
		return invalidContent("A document of session type %s needs properties.", kind)
	}
	return object(properties)("properties", fields["properties"])
}

// withoutProperties refuses properties, which a shell does not have. Every session type
// takes inputs: the agent builds one configuration from both.
func withoutProperties(fields map[string]any) error {
	if _, ok := fields["properties"]; ok {
		return invalidContent("A document of session type Standard_Stream has no properties.")
	}
	return nil
}

func object(fields map[string]check) check {
	return func(where string, value any) error {
		members, ok := value.(map[string]any)
		if !ok {
			return invalidContent("The value of %s is no map.", where)
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			known, ok := fields[name]
			if !ok {
				return invalidContent("There is no field %s in %s.", name, where)
			}
			if err := known(name, members[name]); err != nil {
				return err
			}
		}
		return nil
	}
}

// eachOf checks the values of a map whose keys are free.
func eachOf(member check) check {
	return func(where string, value any) error {
		members, ok := value.(map[string]any)
		if !ok {
			return invalidContent("The value of %s is no map.", where)
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if err := member(name, members[name]); err != nil {
				return err
			}
		}
		return nil
	}
}

func anything(string, any) error { return nil }

func text(where string, value any) error {
	if _, ok := value.(string); !ok {
		return invalidContent("The value of %s is no string.", where)
	}
	return nil
}

func flag(where string, value any) error {
	if _, ok := value.(bool); !ok {
		return invalidContent("The value of %s is neither true nor false.", where)
	}
	return nil
}

// count is a number that is not negative, written as a number or as a string.
func count(where string, value any) error {
	switch v := value.(type) {
	case float64:
		if v >= 0 && v == float64(int(v)) {
			return nil
		}
	case int:
		if v >= 0 {
			return nil
		}
	case string:
		if n, err := strconv.Atoi(v); err == nil && n >= 0 {
			return nil
		}
	}
	return invalidContent("The value of %s is no whole number.", where)
}

func integer(where string, value any) error {
	switch value.(type) {
	case float64, int:
		return nil
	default:
		return invalidContent("The value of %s is no number.", where)
	}
}

// list checks the items of a list.
func list(item check) check {
	return func(where string, value any) error {
		items, ok := value.([]any)
		if !ok {
			return invalidContent("The value of %s is no list.", where)
		}
		for _, i := range items {
			if err := item(where, i); err != nil {
				return err
			}
		}
		return nil
	}
}

func textOrTexts(where string, value any) error {
	if _, ok := value.([]any); ok {
		return list(text)(where, value)
	}
	return text(where, value)
}

func oneOf(allowed ...string) check {
	return func(where string, value any) error {
		if s, ok := value.(string); !ok || !slices.Contains(allowed, s) {
			return invalidContent("The value of %s is none of %v.", where, allowed)
		}
		return nil
	}
}

var wholeNumber = regexp.MustCompile(`^[1-9][0-9]*$`)

// minutes is a number of minutes, written as a string; empty where there is no
// limit, as the console leaves it.
func minutes(most int) check {
	return func(where string, value any) error {
		s, ok := value.(string)
		if ok && s == "" {
			return nil
		}
		n, err := strconv.Atoi(s)
		if !ok || err != nil || !wholeNumber.MatchString(s) || n > most {
			return invalidContent("The value of %s is no string of a number from 1 to %d.", where, most)
		}
		return nil
	}
}
