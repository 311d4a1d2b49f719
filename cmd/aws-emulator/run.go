package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// config is what the flags say.
type config struct {
	listen, fixture           string
	evaluate, trustSignatures bool
	delay                     time.Duration
	seed                      uint64
	tlsCert, tlsKey, tlsCA    string
}

func parseFlags(args []string, out io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("aws-emulator", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() {
		fmt.Fprint(out, usage)
		f.PrintDefaults()
	}
	f.StringVar(&c.listen, "listen", "127.0.0.1:4566", "The `HOST:PORT` to listen on. Port 0 takes a free one.")
	f.StringVar(&c.fixture, "fixture", "", "The `FILE`, YAML or JSON, that says what the accounts hold at the start, or one of s1, s7 and s7nat.")
	f.BoolVar(&c.evaluate, "evaluate-iam", false, "Judge every call by the IAM policies of its caller. Without it everything is allowed.")
	f.BoolVar(&c.trustSignatures, "trust-signatures", false, "Tell callers by their access key alone and leave signatures unchecked.")
	f.DurationVar(&c.delay, "consistency-delay", 0, "How far reads and evaluation of IAM lag its writes, as in 30s.")
	f.Uint64Var(&c.seed, "seed", 1, "The seed of made-up ids and of faults that strike by chance.")
	f.StringVar(&c.tlsCert, "tls-cert", "", "The `FILE` of a certificate in PEM form, to serve TLS. Needs --tls-key.")
	f.StringVar(&c.tlsKey, "tls-key", "", "The `FILE` of the certificate's key in PEM form.")
	f.StringVar(&c.tlsCA, "tls-self-signed", "", "Serve TLS with a certificate of its own, and write it to this `FILE` for AWS_CA_BUNDLE.")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if err := c.check(f.Args()); err != nil {
		fmt.Fprintln(out, "aws-emulator:", err)
		return c, err
	}
	return c, nil
}

func (c config) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is not a flag; see --help", rest[0])
	case (c.tlsCert == "") != (c.tlsKey == ""):
		return fmt.Errorf("--tls-cert and --tls-key belong together")
	case c.tlsCert != "" && c.tlsCA != "":
		return fmt.Errorf("give either --tls-cert or --tls-self-signed")
	case c.delay < 0:
		return fmt.Errorf("--consistency-delay must not be negative")
	}
	return nil
}

// run serves until the context ends.
func run(ctx context.Context, c config, out io.Writer) error {
	fixture := fixtures.S1()
	if c.fixture != "" {
		loaded, err := fixtures.Load(c.fixture)
		if err != nil {
			return err
		}
		fixture = loaded
	}
	server, err := awsemulator.New(awsemulator.Options{
		Fixture: fixture, EvaluateIAM: c.evaluate, TrustSignatures: c.trustSignatures, ConsistencyDelay: c.delay, Seed: c.seed,
	})
	if err != nil {
		return err
	}
	certificate, err := c.certificate()
	if err != nil {
		return err
	}
	//nolint:contextcheck // The server ends with Stop, which lets it finish what it does.
	running, err := server.Start(c.listen, certificate)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, running.URL)
	ended := make(chan error, 1)
	go func() { ended <- running.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return running.Stop() //nolint:contextcheck // The context has ended; Stop has a time of its own.
	}
}

// certificate is the server's for TLS, nil for plain HTTP.
func (c config) certificate() (*awsemulator.Certificate, error) {
	if c.tlsCert != "" {
		return awsemulator.LoadCertificate(c.tlsCert, c.tlsKey)
	}
	if c.tlsCA == "" {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(c.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", c.listen, err)
	}
	certificate, err := awsemulator.SelfSigned(host, "localhost", "127.0.0.1", "::1")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.tlsCA, certificate.CA, 0o644); err != nil {
		return nil, fmt.Errorf("write the certificate for clients: %w", err)
	}
	return certificate, nil
}
