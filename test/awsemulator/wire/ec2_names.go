package wire

//go:generate go run ./ec2names

import (
	"reflect"
	"strings"
)

// ec2InName returns the name of a request parameter. EC2's model names list
// parameters in the singular while the SDK's members are plural.
func ec2InName(shape reflect.Type, member string) string {
	if name, ok := ec2RequestNames[shape.Name()+"."+member]; ok {
		return name
	}
	return member
}

// ec2OutName returns the name of an element in an answer: lower camel case
// unless the model says otherwise.
func ec2OutName(shape reflect.Type, member string) string {
	if name, ok := ec2ElementNames[shape.Name()+"."+member]; ok {
		return name
	}
	return strings.ToLower(member[:1]) + member[1:]
}
