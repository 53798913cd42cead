//go:build e2e

package e2e

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// emulator is the configuration of an AWS emulator on loopback: what the environment says, which is what .ci/run sets where
// it can start one. A test without one is skipped; where CI is true it fails, unless E2E_AWS is none: there is none to start.
func emulator(t *testing.T) aws.Config {
	t.Helper()
	const want = "AWS_ENDPOINT_URL is not set: want the address of an AWS emulator, and its region and keys"
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		if os.Getenv("CI") == "true" && os.Getenv("E2E_AWS") != "none" {
			t.Fatal(want)
		}
		t.Skip(want)
	}
	conf, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conf
}
