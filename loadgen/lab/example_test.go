package lab_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"scalableappbackend/loadgen/lab"
)

// A lab with load that is one request.
func Example() {
	ctx := context.Background()
	l, err := lab.Start(ctx, lab.Config{Speedup: 60})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()

	l.LoadBegan(time.Now())
	res, err := http.Get(l.URL() + "/health")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	fmt.Printf("%s", body)
	l.LoadEnded(time.Now())

	atMin, err := l.AwaitRecovery(ctx)
	fmt.Println(atMin, err)
	for _, p := range l.Timeline().Points {
		fmt.Printf("%d desired, %d healthy\n", p.Desired, p.Healthy)
	}
	// Output:
	// {"status":"ok"}
	// true <nil>
	// 2 desired, 2 healthy
}
