package ssm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/service"
)

const (
	maxDocumentSize = 64 << 10
	maxDocuments    = 500
)

var documentNamePattern = service.NewPattern("name", `[a-zA-Z0-9_\-.]{3,128}`, 3, 128)

// reservedPrefixes may not begin the name of an account's own document. The
// default document of Session Manager is the account's to make.
var reservedPrefixes = []string{"aws", "amazon", "amzn", "AWSEC2", "AWSConfigRemediation", "AWSSupport"}

func (r *Region) createDocument(req *service.Request, in *sdk.CreateDocumentInput) (*sdk.CreateDocumentOutput, error) {
	name, content := aws.ToString(in.Name), aws.ToString(in.Content)
	if err := documentNamePattern.Check(name); err != nil {
		return nil, err
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(prefix)) {
			return nil, invalid("ValidationException", "The document name %s begins with a reserved prefix.", name)
		}
	}
	d := &Document{
		Name: name, Type: string(in.DocumentType), Format: string(in.DocumentFormat), Created: req.Now, Default: 1, Tags: map[string]string{},
		Versions: []DocumentVersion{{Number: 1, Name: aws.ToString(in.VersionName), Content: content, Created: req.Now}},
	}
	if d.Type == "" {
		d.Type = string(types.DocumentTypeCommand)
	}
	if d.Format == "" {
		d.Format = string(types.DocumentFormatJson)
	}
	for _, t := range in.Tags {
		d.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if err := checkContent(d, content); err != nil {
		return nil, err
	}
	err := r.update(req.Now, func(s *State) error {
		if _, ok := s.documents.Get(name); ok {
			return invalid("DocumentAlreadyExists", "Document with name %s already exists.", name)
		}
		if s.documents.Len() >= maxDocuments {
			return invalid("DocumentLimitExceeded", "You can have at most %d active Systems Manager documents.", maxDocuments)
		}
		s.documents = s.documents.With(name, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateDocumentOutput{DocumentDescription: r.describe(d, d.latest())}, nil
}

// checkContent checks the content as far as its type is known.
func checkContent(d *Document, content string) error {
	if len(content) > maxDocumentSize {
		return invalid("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
	}
	if d.Format != string(types.DocumentFormatJson) {
		return nil
	}
	var parsed struct {
		SchemaVersion string `json:"schemaVersion"`
		SessionType   string `json:"sessionType"`
	}
	if err := json.Unmarshal([]byte(content), &parsed); err != nil {
		return invalid("InvalidDocumentContent", "JSON not well-formed: %v", err)
	}
	if d.Type != sessionType {
		return nil
	}
	if parsed.SchemaVersion != "1.0" {
		return invalid("InvalidDocumentSchemaVersion", "The schema version %q is not supported for documents of type Session; 1.0 is.", parsed.SchemaVersion)
	}
	switch parsed.SessionType {
	case "Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port":
		return nil
	}
	return invalid("InvalidDocumentContent", "The session type %q is not supported.", parsed.SessionType)
}

func (r *Region) getDocument(_ *service.Request, in *sdk.GetDocumentInput) (*sdk.GetDocumentOutput, error) {
	d, v, err := r.findVersion(in.Name, in.DocumentVersion)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetDocumentOutput{
		Name: aws.String(d.Name), Content: aws.String(v.Content), CreatedDate: aws.Time(v.Created), DocumentFormat: types.DocumentFormat(d.Format),
		DocumentType: types.DocumentType(d.Type), DocumentVersion: aws.String(strconv.Itoa(v.Number)), Status: types.DocumentStatusActive,
	}
	if v.Name != "" {
		out.VersionName = aws.String(v.Name)
	}
	return out, nil
}

func (r *Region) describeDocument(_ *service.Request, in *sdk.DescribeDocumentInput) (*sdk.DescribeDocumentOutput, error) {
	d, v, err := r.findVersion(in.Name, in.DocumentVersion)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeDocumentOutput{Document: r.describe(d, v)}, nil
}

func (r *Region) deleteDocument(req *service.Request, in *sdk.DeleteDocumentInput) (*sdk.DeleteDocumentOutput, error) {
	return &sdk.DeleteDocumentOutput{}, r.update(req.Now, func(s *State) error {
		d, ok := s.findDocument(r, aws.ToString(in.Name))
		if !ok {
			return invalidDocument(aws.ToString(in.Name))
		}
		s.documents = s.documents.Without(d.Name)
		return nil
	})
}

// findVersion finds a document and the version asked for: a number, $LATEST,
// $DEFAULT, or the default where nothing is said.
func (r *Region) findVersion(name, version *string) (*Document, DocumentVersion, error) {
	d, ok := r.history.Latest().findDocument(r, aws.ToString(name))
	if !ok {
		return nil, DocumentVersion{}, invalidDocument(aws.ToString(name))
	}
	number := d.Default
	switch text := aws.ToString(version); text {
	case "", "$DEFAULT":
	case "$LATEST":
		number = d.latest().Number
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, DocumentVersion{}, service.ValidationError("Value '%s' at 'documentVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: ([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)", text)
		}
		number = n
	}
	v, ok := d.Version(number)
	if !ok {
		return nil, DocumentVersion{}, invalid("InvalidDocumentVersion", "Document version %d of %s does not exist.", number, d.Name)
	}
	return d, v, nil
}

func (r *Region) describe(d *Document, v DocumentVersion) *types.DocumentDescription {
	sum := sha256.Sum256([]byte(v.Content))
	out := &types.DocumentDescription{
		Name: aws.String(d.Name), Owner: aws.String(r.AccountID), CreatedDate: aws.Time(v.Created), Status: types.DocumentStatusActive,
		DocumentVersion: aws.String(strconv.Itoa(v.Number)), DefaultVersion: aws.String(strconv.Itoa(d.Default)),
		LatestVersion: aws.String(strconv.Itoa(d.latest().Number)), DocumentType: types.DocumentType(d.Type),
		DocumentFormat: types.DocumentFormat(d.Format), Hash: aws.String(hex.EncodeToString(sum[:])), HashType: types.DocumentHashTypeSha256,
		PlatformTypes: []types.PlatformType{types.PlatformTypeWindows, types.PlatformTypeLinux, types.PlatformTypeMacos}, Tags: []types.Tag{},
	}
	if d.Type == sessionType {
		out.SchemaVersion = aws.String("1.0")
	}
	for k, value := range d.Tags {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(value)})
	}
	return out
}
