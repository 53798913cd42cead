package tasks

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
)

// Want is a load that tasks are to make.
type Want struct {
	Rate    float64 // requests/s
	PerVCPU float64 // requests/s that a generator was measured to send for each vCPU that it used
	// Fill is the share of its CPU that a generator may use, above 0 and at most 1. Beyond some 0.8 a generator is SUSPECT.
	Fill   float64
	CPU    int // of a task, units of 1/1024 vCPU
	Memory int // of a task, MiB
	ARM    bool
	Length time.Duration // of the load
	// Connections are those of the load, 0 when nobody knows: with keep-alive, rate × latency.
	Connections int
}

// Room is what an account has. A number below 0 is not known.
type Room struct {
	Addresses int // free ones in the subnets
	VCPUs     int // quota of Fargate On-Demand vCPUs
}

// Forecast is what a load takes.
type Forecast struct {
	Want
	Tasks   int
	VCPUs   float64
	PerTask float64       // requests/s
	Launch  time.Duration // until all are started, at least
	Cost    float64       // USD, of the tasks
	Storage float64       // USD, of what they exchange by S3
	Limits  []Limit       // by the rate at which each is met, the lowest first; those that nobody knows last
}

// Limit is something that ends growth.
type Limit struct {
	Name   string
	Rate   float64 // requests/s at which it is met, when Known; +Inf: by no rate that is known
	Detail string  // what it is, how it is raised
	Source string  // where the number is from
	Known  bool    // false: what there is of it was not asked, or could not be
}

// Sizes of Fargate: CPU units → least and most memory in MiB, and its step above the least (Amazon ECS developer guide, "Task definition
// parameters for Fargate", task size).
type size struct{ cpu, least, most, step int }

func sizes() []size {
	return []size{
		{256, 512, 2048, 512}, {512, 1024, 4096, 1024}, {1024, 2048, 8192, 1024}, {2048, 4096, 16384, 1024}, {4096, 8192, 30720, 1024},
		{8192, 16384, 61440, 4096}, {16384, 32768, 122880, 8192},
	}
}

// Prices in us-east-1, in USD an hour, as third parties list them (vantage.sh, "Fargate pricing"); each region has its own.
const (
	priceVCPU, priceGB       = 0.04048, 0.004445
	priceVCPUARM, priceGBARM = 0.03238, 0.00356
	pricePut, priceGet       = 0.005 / 1000, 0.0004 / 1000 // a request of S3 (vendor's list, not looked up again)
)

// Limits that do not depend on the account. Each is told with where it is from.
const (
	// launchRate is how many tasks a minute Fargate starts for one account, in the one measurement that was found (V. Ionescu, "Scaling
	// containers on AWS"): an upper bound of several years ago; launchBurst come at once.
	launchRate, launchBurst = 60, 10
	ports                   = 28_232 // net.ipv4.ip_local_port_range 32768–60999, Linux's default: connections of a task to one address and port
	putRate                 = 3_500  // PUT/s of S3 for a prefix ("Best practices design patterns: optimizing Amazon S3 performance")
)

// Predict says what a load takes, and which limits it meets first.
func Predict(w Want, room Room) (Forecast, error) {
	if err := w.check(); err != nil {
		return Forecast{}, err
	}
	f := Forecast{Want: w}
	vcpu := float64(w.CPU) / 1024
	f.PerTask = vcpu * w.PerVCPU * w.Fill
	f.Tasks = max(1, int(math.Ceil(w.Rate/f.PerTask-1e-9)))
	f.Tasks = max(f.Tasks, (w.Connections+ports-1)/ports)
	f.VCPUs = float64(f.Tasks) * vcpu
	if more := f.Tasks - launchBurst; more > 0 {
		f.Launch = time.Duration(math.Ceil(float64(more) / launchRate * float64(time.Minute)))
	}
	perVCPU, perGB := priceVCPU, priceGB
	if w.ARM {
		perVCPU, perGB = priceVCPUARM, priceGBARM
	}
	// Billed from the pull of the image to the end, a minute at least; all wait for the last.
	hours := max(w.Length+f.Launch+time.Minute, time.Minute).Hours()
	f.Cost = float64(f.Tasks) * hours * (vcpu*perVCPU + float64(w.Memory)/1024*perGB)
	beats := w.Length.Seconds() / beatOf(w.Length).Seconds()
	f.Storage = float64(f.Tasks) * (beats*(pricePut+priceGet) + w.Length.Seconds()/10*pricePut)
	f.Limits = w.limits(room, f.PerTask)
	return f, nil
}

func (w *Want) check() error {
	positive := func(field string, x float64, want string) error {
		if !(x > 0) || math.IsInf(x, 0) {
			return input.WithField(input.Refuse(strconv.FormatFloat(x, 'g', -1, 64), want), field)
		}
		return nil
	}
	if err := cmp.Or(
		positive("rate", w.Rate, "requests per second, above 0"),
		positive("per-vcpu", w.PerVCPU, "requests per second, above 0"),
		positive("fill", w.Fill, "a share above 0, at most 100%"),
	); err != nil {
		return err
	}
	if w.Fill > 1 {
		return input.WithField(input.Refuse(units.Percent(w.Fill), "a share above 0, at most 100%"), "fill")
	}
	if w.Length <= 0 {
		return input.WithField(input.Refuse(w.Length.String(), "a length above 0"), "run-time")
	}
	all := sizes()
	i := slices.IndexFunc(all, func(s size) bool { return s.cpu == w.CPU })
	if i < 0 {
		return input.WithField(input.Refuse(strconv.Itoa(w.CPU), "256, 512, 1024, 2048, 4096, 8192 or 16384 units of 1/1024 vCPU"), "cpu")
	}
	s := all[i]
	if w.Memory == 0 {
		w.Memory = s.least
	}
	ok := s.least <= w.Memory && w.Memory <= s.most && (w.Memory-s.least)%s.step == 0
	if !ok {
		return input.WithField(input.Refuse(strconv.Itoa(w.Memory), "MiB that Fargate has with "+strconv.Itoa(s.cpu)+" CPU units: "+
			strconv.Itoa(s.least)+" to "+strconv.Itoa(s.most)+" in steps of "+strconv.Itoa(s.step)), "memory")
	}
	return nil
}

// limits are what ends growth, by the rate at which it does.
func (w *Want) limits(room Room, perTask float64) []Limit {
	vcpu := float64(w.CPU) / 1024
	ofTasks := func(n float64) float64 { return math.Floor(n) * perTask }
	all := []Limit{
		{Name: "Fargate On-Demand vCPUs", Detail: "quota L-3032A538 of the account and region; raised on request", Source: "Service Quotas, GetServiceQuota"},
		{Name: "free addresses in the subnets", Detail: "each task takes one; more or larger subnets, or others with --subnets", Source: "EC2, DescribeSubnets"},
		{Name: "tasks started in 5 minutes", Rate: ofTasks(launchBurst + launchRate*5), Known: true,
			Detail: units.Count(launchRate) + " a minute after a burst of " + strconv.Itoa(launchBurst) + "; the first ones wait for the last: raise --ready-within, or larger tasks", Source: "one published measurement, some years old"},
		{Name: "S3 writes to one run", Rate: ofTasks(putRate * beatOf(w.Length).Seconds()), Known: true,
			Detail: "a beat of each task every " + units.Duration(beatOf(w.Length)), Source: "S3 user guide: 3,500 writes/s for a prefix"},
		{Name: "one launcher that listens", Rate: ofTasks(listeners / 0.05 * 2), Known: true,
			Detail: strconv.Itoa(listeners) + " reads at a time of some 50 ms, each task once in 2 s; above it what is shown is late, the result is not", Source: "computed"},
	}
	if room.VCPUs >= 0 {
		all[0].Rate, all[0].Known = ofTasks(float64(room.VCPUs)/vcpu), true
		all[0].Detail = units.Count(int64(room.VCPUs)) + " vCPUs: " + all[0].Detail
	}
	if room.Addresses >= 0 {
		all[1].Rate, all[1].Known = ofTasks(float64(room.Addresses)), true
		all[1].Detail = units.Count(int64(room.Addresses)) + " free: " + all[1].Detail
	}
	all = append(all,
		Limit{Name: "network of a task", Detail: "AWS publishes no figure by size; measure one task first", Source: "not known"},
		Limit{Name: "load balancer", Detail: "one LCU is 25 new connections/s, 3,000 open ones a minute or 1 GB/h, and it grows in minutes: reserve capacity before (minimum_load_balancer_capacity)",
			Source: "vendor's price list, second hand"},
	)
	slices.SortStableFunc(all, func(a, b Limit) int {
		switch {
		case a.Known != b.Known:
			if a.Known {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Rate, b.Rate)
	})
	return all
}
