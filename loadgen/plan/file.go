package plan

import "encoding/json"

// ReadFile reads a plan.json. Keys that the file leaves out have the value of [Default], of
// [DefaultOpen] when its model is open or it has a rate, of [DefaultBench] when it is one; what other keys replace (stages: users,
// spawn rate and run time; pacing: think time) is not filled in. The keys "schema", "run" and "generator",
// which a result adds, are passed over; any other unknown key is an error.
//
// The plan is not validated yet: flags may still change it.
func ReadFile(data []byte) (Plan, error) {
	var given struct {
		Model  Model  `json:"model"`
		Rate   *any   `json:"rate"`
		Stages *[]any `json:"stages"`
		Pacing *any   `json:"pacing"`
	}
	// What is of the wrong type here is told by decode, with its place.
	_ = json.Unmarshal(data, &given)
	p := Default()
	if given.Model == Open || given.Model == "" && given.Rate != nil {
		p = DefaultOpen()
	}
	if given.Model == Bench {
		p = DefaultBench()
	}
	if given.Stages != nil {
		p.Users, p.SpawnRate, p.RunTime = 0, 0, 0
	}
	if given.Pacing != nil {
		p.Think = Range{}
	}
	if err := decode(data, &p, "schema", "run", "generator"); err != nil {
		return Plan{}, err
	}
	p.trim()
	return p, nil
}
