package main

import "time"

// report is the printed result. Unknown values are null.
type report struct {
	Work           string    `json:"work"`
	Connections    int       `json:"connections"`
	InFlight       int       `json:"in_flight"`
	Seconds        float64   `json:"seconds"`
	Calls          int64     `json:"calls"`
	Errors         int64     `json:"errors"`
	CallsPerSecond float64   `json:"calls_per_second"`
	Latency        latencies `json:"latency_microseconds"`
	CPUPerCall     *float64  `json:"server_cpu_microseconds_per_call"`
	RSSKiB         *int64    `json:"server_rss_kib"`
	PeakRSSKiB     *int64    `json:"server_peak_rss_kib"`
}

type latencies struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

func newReport(o options, t *tally, measured time.Duration, before, after *usage) *report {
	calls := t.latencies.TotalCount()
	percentile := func(quantile float64) float64 {
		return microseconds(time.Duration(t.latencies.ValueAtQuantile(quantile)))
	}
	r := &report{
		Work:           o.work,
		Connections:    o.connections,
		InFlight:       o.inFlight,
		Seconds:        measured.Seconds(),
		Calls:          calls,
		Errors:         t.errors,
		CallsPerSecond: float64(calls) / measured.Seconds(),
		Latency: latencies{
			P50:  percentile(50),
			P90:  percentile(90),
			P99:  percentile(99),
			P999: percentile(99.9),
			Max:  microseconds(time.Duration(t.latencies.Max())),
		},
	}
	if after != nil {
		r.RSSKiB, r.PeakRSSKiB = &after.residentKiB, &after.peakKiB
		if answered := calls + t.errors; answered > 0 {
			each := microseconds(after.cpu-before.cpu) / float64(answered)
			r.CPUPerCall = &each
		}
	}
	return r
}

func microseconds(duration time.Duration) float64 {
	return float64(duration) / float64(time.Microsecond)
}
