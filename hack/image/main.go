// Command image assembles the container image of one of the project's commands, without
// a container engine and without a base image, as an OCI layout on disk. The same sources
// give the same bytes.
//
// The image holds the command, CA roots, users and /tmp. Next to it in the layout, and as
// files, is a bill of materials in SPDX format for each platform.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// options are the command line.
type options struct {
	checkout, command, name, version, revision, output, archive, binaries string
	upload                                                                bool
	// binary, when set, is the built command, for the one platform that is asked for.
	binary    string
	platforms []*v1.Platform
	created   time.Time
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run.
	}
}

func parseOptions(args []string, output io.Writer) (options, error) {
	var o options
	var platforms string
	var created int64
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&o.checkout, "checkout", ".", "`directory` of the sources")
	flags.StringVar(&o.command, "command", "manager", "`name` of the command in cmd, which is also the name of its file in the image")
	flags.StringVar(&o.version, "version", "dev", "`version` of the command and of the image")
	flags.StringVar(&o.revision, "revision", "", "`commit` of the sources, for a label")
	flags.StringVar(&o.output, "output", "", "`directory` of the OCI layout, which is replaced; required")
	flags.StringVar(&o.name, "name", "", "`name` of the image in its registry, without a tag")
	flags.StringVar(&o.archive, "archive", "", "`file` to which the layout is packed, for docker load or kind load image-archive")
	flags.StringVar(&o.binaries, "binaries", "", "existing `directory` to which the commands themselves are written")
	flags.BoolVar(&o.upload, "upload", false, "build nothing, and upload the layout to the registry, as --name and --version say")
	flags.StringVar(&o.binary, "binary", "", "built command to take instead of building it, for one platform, as a `file`")
	flags.StringVar(&platforms, "platforms", "linux/amd64,linux/arm64", "`platforms`, separated by commas")
	flags.Int64Var(&created, "created", 0, "when the sources were changed last, in `seconds` since 1970; all times in the image are this one")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.created = time.Unix(created, 0).UTC()
	for text := range strings.SplitSeq(platforms, ",") {
		platform, err := v1.ParsePlatform(text)
		if err != nil {
			return o, fmt.Errorf("--platforms: %w", err)
		}
		o.platforms = append(o.platforms, platform)
	}
	switch {
	case o.output == "":
		return o, errors.New("say with --output where to write the OCI layout")
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q is no flag; --help lists them", flags.Arg(0))
	case o.upload && o.name == "":
		return o, errors.New("say with --name where to upload the image")
	case o.binary != "" && len(o.platforms) != 1:
		return o, errors.New("--binary is for one platform; name it with --platforms")
	}
	return o, nil
}

// run builds the image, or uploads it, and prints its digest.
func run(ctx context.Context, o options, out io.Writer) error {
	digest, err := buildAll(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, digest)
	return nil
}

func buildAll(ctx context.Context, o options) (v1.Hash, error) {
	if o.upload {
		return upload(ctx, o)
	}
	var built []platformImage
	for _, platform := range o.platforms {
		image, err := assemble(ctx, o, platform)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("%s for %s: %w", o.command, platform, err)
		}
		built = append(built, image)
	}
	return write(o, built)
}
