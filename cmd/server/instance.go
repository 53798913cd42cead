package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// metadataVariable names the variable in which ECS gives each container the base URL of its metadata, version 4:
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
const metadataVariable = "ECS_CONTAINER_METADATA_URI_V4"

// metadataTimeout bounds the whole look-up. The endpoint is on the same host and answers in milliseconds or not at all.
const metadataTimeout = time.Second

// instanceName is the name of this replica: the id of the ECS task when there is one, else the host's. An error explains a
// name that is not the best one and is never a reason not to serve; without any name at all it is empty.
func instanceName(ctx context.Context, lookup func(string) (string, bool), hostname func() (string, error)) (string, error) {
	var whyNotTask error
	if base, ok := lookup(metadataVariable); ok && base != "" {
		id, err := taskID(ctx, base)
		if err == nil {
			return id, nil
		}
		whyNotTask = fmt.Errorf("%s %q: %w", metadataVariable, base, err)
	}
	host, err := hostname()
	if err != nil {
		return "", errors.Join(whyNotTask, fmt.Errorf("host name: %w", err))
	}
	return host, whyNotTask
}

// taskID asks for BASE/task and returns the last part of its TaskARN,
// arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID.
func taskID(ctx context.Context, base string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/task", nil)
	if err != nil {
		return "", err
	}
	res, err := localClient().Do(req)
	if err != nil {
		return "", clientError(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", res.Status)
	}
	var task struct{ TaskARN string }
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&task); err != nil {
		return "", fmt.Errorf("answer: %w", err)
	}
	_, resource, ok := strings.Cut(task.TaskARN, ":task/")
	id := resource[strings.LastIndexByte(resource, '/')+1:]
	if !ok || id == "" {
		return "", fmt.Errorf("TaskARN %q: want arn:…:task/CLUSTER/ID", task.TaskARN)
	}
	return id, nil
}
