// Package plan holds the pure rules of a page: which numbers may be called and how they are dialled, which trunk carries
// a call, what comes next, and how long everything may take.
//
// It has no goroutines, clocks, files or sockets: time is an argument, and every rule is a function of values. It does
// not call anybody; that is for package pager, which runs plans, and package voice, which makes calls.
package plan
