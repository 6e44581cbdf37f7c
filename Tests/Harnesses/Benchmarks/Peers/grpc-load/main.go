// Grpc-load generates load on a gRPC server on a Unix socket in a closed loop: each caller sends
// its next request when it has the response to the last one. It prints the results as a line of
// JSON.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"time"
)

// options are the settings of a run.
type options struct {
	socket      string
	connections int
	inFlight    int // on each connection
	warmup      time.Duration
	measured    time.Duration
	work        string
	users       int
	server      int // process id, 0 for none
}

func main() {
	var o options
	var warmup, measured float64
	flag.StringVar(&o.socket, "socket", "", "the server's Unix socket")
	flag.IntVar(&o.connections, "connections", 1, "the number of connections")
	flag.IntVar(&o.inFlight, "in-flight", 1, "the number of calls in flight on each connection")
	flag.Float64Var(&warmup, "warmup", 1, "seconds of warm-up before the measurement")
	flag.Float64Var(&measured, "seconds", 5, "seconds of the measurement")
	flag.StringVar(&o.work, "work", "health", "health or reserve")
	flag.IntVar(&o.users, "users", 1000, "the number of users, from whom reserve chooses at random")
	flag.IntVar(&o.server, "server-pid", 0, "the server's process id, for its CPU time and memory")
	flag.Parse()
	o.warmup = time.Duration(warmup * float64(time.Second))
	o.measured = time.Duration(measured * float64(time.Second))
	if o.socket == "" || o.connections < 1 || o.inFlight < 1 || o.users < 1 || o.warmup < 0 ||
		o.measured <= 0 || works[o.work] == nil || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(64)
	}

	report, err := run(o)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}
