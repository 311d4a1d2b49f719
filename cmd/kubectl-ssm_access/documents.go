package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// readDocuments reads which keys documents name that exist in AWS, from files by the name
// of the document. Each stands for the document in every region.
func readDocuments(files map[string]string, regions []v1alpha1.Region) (admission.DocumentKeys, error) {
	var keys admission.DocumentKeys
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text, err := os.ReadFile(files[name])
		if err != nil {
			return keys, fmt.Errorf("read the contents of document %q: %w", name, err)
		}
		var content struct {
			Inputs struct {
				KMSKeyID string `json:"kmsKeyId"`
			} `json:"inputs"`
		}
		if err := yaml.Unmarshal(text, &content); err != nil {
			return keys, fmt.Errorf("read the contents of document %q in %s: %w", name, files[name], err)
		}
		for _, region := range regions {
			key := admission.DocumentKey{Document: name, Region: region, ID: content.Inputs.KMSKeyID}
			if strings.Contains(key.ID, ":key/") {
				key.ARN = key.ID
			}
			keys.Read = append(keys.Read, key)
		}
	}
	return keys, nil
}
