package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"scalableappbackend/server"
)

// The API in this process, on a loopback port of the kernel's choice.
func Example() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, drain := context.WithCancel(context.Background())
	defer drain()
	served := make(chan error)
	go func() { served <- server.New(server.Options{Instance: "embedded"}).Serve(ctx, ln) }()

	res, err := http.Get("http://" + ln.Addr().String() + server.HealthPath)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Printf("%s: %s", res.Header.Get("X-Served-By"), body)

	drain()
	fmt.Println(<-served)
	// Output:
	// embedded: {"status":"ok"}
	// <nil>
}
