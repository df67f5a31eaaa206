//go:build !linux

package media_test

const heardOfICMP = false
