package validity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"scalableappbackend/loadgen/result"
)

// How the ECS task metadata endpoint is asked. Tasks of one host share its rate limit, so that a
// refusal at start is not unusual; without an answer the CPU limit stays unknown for the whole run.
const (
	metadataTimeout = 2 * time.Second
	metadataTries   = 3
	metadataPause   = 200 * time.Millisecond
	metadataSize    = 1 << 20 // bytes of an answer that are read
)

// ecsTask is what the endpoint's /task says. A limit is +Inf when the task has none.
type ecsTask struct {
	result.Task
	cpus        float64
	memoryBytes result.Reading
}

// metadataTransport uses no proxy: the endpoint is link-local, and http.DefaultTransport would take
// one from the environment.
func metadataTransport() http.RoundTripper {
	return &http.Transport{DisableKeepAlives: true}
}

// readTask asks uri + "/task", trying again while there is time.
// The answer is described in the ECS developer guide, "Amazon ECS task metadata V4 JSON response".
func readTask(ctx context.Context, transport http.RoundTripper, uri string) (ecsTask, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	var last error
	for try := range metadataTries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ecsTask{}, last
			case <-time.After(metadataPause):
			}
		}
		body, err := getMetadata(ctx, transport, strings.TrimSuffix(uri, "/")+"/task")
		if err != nil {
			last = err
			continue
		}
		return parseTask(body)
	}
	return ecsTask{}, last
}

func getMetadata(ctx context.Context, transport http.RoundTripper, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the metadata URI is not a URL")
	}
	client := http.Client{Transport: transport}
	response, err := client.Do(request)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // the address is of no use to the reader
		}
		return nil, fmt.Errorf("no answer from the metadata endpoint: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metadata endpoint answered %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, metadataSize))
	if err != nil {
		return nil, fmt.Errorf("the metadata endpoint's answer broke off: %w", err)
	}
	return body, nil
}

func parseTask(body []byte) (ecsTask, error) {
	var answer struct {
		Cluster  string
		TaskARN  string
		Family   string
		Revision string
		// Missing on older platforms.
		AvailabilityZone, LaunchType string

		Limits struct {
			CPU    float64 // vCPUs
			Memory float64 // MiB
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return ecsTask{}, errors.New("the metadata endpoint's answer is not the JSON that is documented")
	}
	task := ecsTask{
		Task: result.Task{
			ARN: answer.TaskARN, Family: answer.Family, Cluster: answer.Cluster,
			ID:       answer.TaskARN[strings.LastIndexByte(answer.TaskARN, '/')+1:],
			Revision: answer.Revision, Zone: answer.AvailabilityZone, LaunchType: answer.LaunchType,
		},
		cpus:        math.Inf(1),
		memoryBytes: noLimit(),
	}
	if answer.Limits.CPU > 0 {
		task.cpus = answer.Limits.CPU
	}
	if answer.Limits.Memory > 0 {
		task.memoryBytes = result.Reading(answer.Limits.Memory * (1 << 20))
	}
	return task, nil
}
