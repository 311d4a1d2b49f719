package main

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // SPDX requires it next to SHA-256.
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/utils"
)

const (
	rootsModule = "golang.org/x/crypto/x509roots/fallback"
	unknown     = "NOASSERTION"
)

// notOfID is what an SPDX identifier must not hold.
var notOfID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func id(kind, name string) common.ElementID {
	return common.ElementID(kind + "-" + notOfID.ReplaceAllString(name, "-"))
}

// billOfMaterials lists the image's files with their hashes, the Go modules that are linked
// into the command, and where the CA roots come from.
func billOfMaterials(o options, platform *v1.Platform, binary []byte, files []file) ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return nil, fmt.Errorf("read which modules are linked: %w", err)
	}
	name := o.command + "-" + platform.OS + "-" + platform.Architecture
	sum := sha256.Sum256(binary)
	image := module("Image", name, o.version)
	document := &v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: name,
		DocumentNamespace: source + "/sbom/" + name + "-" + hex.EncodeToString(sum[:]),
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "ssm-access-operator-hack-image"}},
			Created:  o.created.Format(time.RFC3339),
		},
		Packages: []*v2_3.Package{image},
	}
	document.Relationships = append(document.Relationships, related("DOCUMENT", common.TypeRelationshipDescribe, image.PackageSPDXIdentifier))
	image.FilesAnalyzed, image.IsFilesAnalyzedTagPresent = true, true
	for _, f := range files {
		if !f.isDirectory() {
			listed := fileOf(f)
			document.Files = append(document.Files, listed)
			document.Relationships = append(document.Relationships, related(image.PackageSPDXIdentifier, common.TypeRelationshipContains, listed.FileSPDXIdentifier))
		}
	}
	code, err := utils.GetVerificationCode(document.Files, "")
	if err != nil {
		return nil, fmt.Errorf("hash the files: %w", err)
	}
	image.PackageVerificationCode = &code
	linked := []*v2_3.Package{module("Package", "stdlib", strings.TrimPrefix(info.GoVersion, "go")), module("Package", info.Main.Path, o.version), module("Package", rootsModule, rootsVersion())}
	for _, dependency := range info.Deps {
		if dependency.Replace != nil {
			dependency = dependency.Replace
		}
		linked = append(linked, module("Package", dependency.Path, dependency.Version))
	}
	for _, one := range linked {
		document.Packages = append(document.Packages, one)
		document.Relationships = append(document.Relationships, related(image.PackageSPDXIdentifier, common.TypeRelationshipContains, one.PackageSPDXIdentifier))
	}
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the bill of materials: %w", err)
	}
	return append(text, '\n'), nil
}

func related(a common.ElementID, relationship string, b common.ElementID) *v2_3.Relationship {
	return &v2_3.Relationship{RefA: common.DocElementID{ElementRefID: a}, RefB: common.DocElementID{ElementRefID: b}, Relationship: relationship}
}

func module(kind, path, version string) *v2_3.Package {
	one := &v2_3.Package{
		PackageName: path, PackageSPDXIdentifier: id(kind, path), PackageVersion: version,
		PackageDownloadLocation: unknown, PackageLicenseConcluded: unknown, PackageLicenseDeclared: unknown, PackageCopyrightText: unknown,
	}
	if kind == "Package" {
		one.PackageExternalReferences = []*v2_3.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: "purl", Locator: "pkg:golang/" + path + "@" + version,
		}}
	}
	return one
}

func fileOf(f file) *v2_3.File {
	one, sum := sha1.Sum(f.content), sha256.Sum256(f.content) //nolint:gosec // As above.
	return &v2_3.File{
		FileName: "/" + f.path, FileSPDXIdentifier: id("File", f.path),
		Checksums: []common.Checksum{
			{Algorithm: common.SHA1, Value: hex.EncodeToString(one[:])},
			{Algorithm: common.SHA256, Value: hex.EncodeToString(sum[:])},
		},
		LicenseConcluded: unknown, FileCopyrightText: unknown,
	}
}

// rootsVersion is the version of the CA roots that are linked into this command.
func rootsVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == rootsModule {
				return dependency.Version
			}
		}
	}
	return unknown
}
