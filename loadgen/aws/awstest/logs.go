package awstest

// Lines are what was written to a log group.
func (f *Fake) Lines(group string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.world.logs[group]...)
}

// LogGroup makes a log group that is there.
func (f *Fake) LogGroup(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.world.logs == nil {
		f.world.logs = map[string][]string{}
	}
	f.world.logs[name] = []string{}
}

func (f *Fake) logs() {
	f.handlers["logs:CreateLogStream"] = func(in Object) (Object, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if _, ok := f.world.logs[in.Text("logGroupName")]; !ok {
			return nil, &Error{Code: "ResourceNotFoundException", Message: "The specified log group does not exist."}
		}
		return Object{}, nil
	}
	f.handlers["logs:PutLogEvents"] = func(in Object) (Object, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		group := in.Text("logGroupName")
		if _, ok := f.world.logs[group]; !ok {
			return nil, &Error{Code: "ResourceNotFoundException", Message: "The specified log group does not exist."}
		}
		last := 0.0
		for _, e := range in.Objects("logEvents") {
			at, _ := e.Number("timestamp")
			if at < last {
				return nil, &Error{Code: "InvalidParameterException", Message: "Log events in a single PutLogEvents request must be in chronological order."}
			}
			last = at
			f.world.logs[group] = append(f.world.logs[group], e.Text("message"))
		}
		return Object{"nextSequenceToken": "1"}, nil
	}
}
