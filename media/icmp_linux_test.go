package media_test

// heardOfICMP: an unconnected socket can be told of ICMP errors.
const heardOfICMP = true
