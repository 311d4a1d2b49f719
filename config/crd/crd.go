// Package crd embeds the CustomResourceDefinitions, for programs that need the schemas of
// the kinds without a cluster.
package crd

import "embed"

// Bases holds the file of each CustomResourceDefinition, below the directory "bases".
//
//go:embed bases/*.yaml
var Bases embed.FS
