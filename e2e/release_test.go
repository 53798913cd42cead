//go:build e2e

package e2e

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The programs of a release, made as the workflow makes them, for two of its six platforms.
func TestTheProgramsOfAReleaseRunAndListWhatIsInThem(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		cmd := exec.CommandContext(t.Context(), "../.github/scripts/programs.sh", "v1.2.3-rc.1", dir)
		cmd.Env = append(os.Environ(), "PLATFORMS=linux/amd64 windows/arm64")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	sums, err := os.ReadFile(filepath.Join(first, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(second, "SHA256SUMS")); err != nil || string(again) != string(sums) {
		t.Errorf("made twice, they differ (%v):\n%s%s", err, sums, again)
	}
	const linux, windows = "loadgen_1.2.3-rc.1_linux_amd64", "loadgen_1.2.3-rc.1_windows_arm64"
	for _, name := range []string{linux + ".tar.gz", linux + "_loadgen.cdx.json", linux + "_server.cdx.json", windows + ".zip", windows + "_loadgen.cdx.json", windows + "_server.cdx.json"} {
		if !strings.Contains(string(sums), "  "+name+"\n") {
			t.Errorf("no %s in\n%s", name, sums)
		}
	}
	stdoutOf(t, "tar", "-C", first, "-xzf", filepath.Join(first, linux+".tar.gz"))
	if said := string(stdoutOf(t, filepath.Join(first, linux, "loadgen"), "version")); !strings.Contains(said, "v1.2.3-rc.1") {
		t.Errorf("loadgen version says %s", said)
	}
	if listed := string(stdoutOf(t, "unzip", "-l", filepath.Join(first, windows+".zip"))); !strings.Contains(listed, windows+"/loadgen.exe") || !strings.Contains(listed, windows+"/server.exe") {
		t.Errorf("the archive for Windows holds\n%s", listed)
	}

	var bom struct {
		BomFormat  string
		Components []struct{ Name, Version, Purl string }
	}
	text, err := os.ReadFile(filepath.Join(first, linux+"_loadgen.cdx.json"))
	if err == nil {
		err = json.Unmarshal(text, &bom)
	}
	if err != nil || bom.BomFormat != "CycloneDX" {
		t.Fatalf("the SBOM is %q: %v", bom.BomFormat, err)
	}
	// What Go itself says is in the program, module by module.
	listed := map[string]bool{}
	for _, c := range bom.Components {
		listed[c.Name+" "+c.Version] = true
	}
	n := 0
	for line := range strings.Lines(string(stdoutOf(t, "go", "version", "-m", filepath.Join(first, linux, "loadgen")))) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			n++
			if !listed[f[1]+" "+f[2]] {
				t.Errorf("the SBOM has no %s %s", f[1], f[2])
			}
		}
	}
	if n < 5 {
		t.Errorf("%d modules are in the program: is it read at all?", n)
	}

	cmd := exec.CommandContext(t.Context(), "../.github/scripts/programs.sh", "latest", first)
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("a version that is none: %v", err)
	}
}

// Both architectures are compiled by the one that builds. That a builder makes one image of both is for the workflow.
func TestImagesForTheOtherArchitectureAreBuiltWithoutEmulation(t *testing.T) {
	for _, program := range []string{"server", "loadgen"} {
		image := buildImage(t, program, "--platform", "linux/arm64")
		var architecture string
		inspect(t, image, "{{json .Architecture}}", &architecture)
		if architecture != "arm64" {
			t.Errorf("%s is for %s", program, architecture)
		}
		id := strings.TrimSpace(string(stdoutOf(t, "docker", "create", "--platform", "linux/arm64", image)))
		t.Cleanup(func() { _ = exec.Command("docker", "rm", "-f", id).Run() })
		to := filepath.Join(t.TempDir(), program)
		stdoutOf(t, "docker", "cp", id+":/"+program, to)
		file, err := elf.Open(to)
		if err != nil {
			t.Fatal(err)
		}
		if file.Machine != elf.EM_AARCH64 {
			t.Errorf("the program in %s is for %s", program, file.Machine)
		}
		_ = file.Close()
	}
}
