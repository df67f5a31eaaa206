package media

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// atOnce is how many sockets one look reads, one datagram of each: a flood on one of them delays nobody for long.
const atOnce = 64

// ears read every session's socket on one goroutine. The runtime's poller would also wait for each socket to become
// writable, and be woken for every packet that has left. So the sockets are in an epoll set of our own, which waits for
// what comes and nothing else, and only the set itself is in the runtime's.
type ears struct {
	cfg    Config
	set    *os.File
	raw    syscall.RawConn
	buf    [datagram]byte
	events [atOnce]unix.EpollEvent

	mu    sync.Mutex // held while reading: who was removed is not read any more
	all   map[int32]*receiver
	alarm time.Time // when speech may have ended by silence; zero while nobody speaks
}

func newEars(cfg Config) (*ears, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll set: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that package os gives it to the runtime's poller
		_ = unix.Close(fd)
		return nil, fmt.Errorf("prepare the epoll set: %w", err)
	}
	e := &ears{cfg: cfg, set: os.NewFile(uintptr(fd), "epoll"), all: make(map[int32]*receiver)}
	if e.raw, err = e.set.SyscallConn(); err != nil {
		return nil, fmt.Errorf("reach the epoll set: %w", err)
	}
	return e, nil
}

// add begins to listen at a socket.
func (e *ears) add(s socket, r *receiver) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.control(func(set int) error {
		err := unix.EpollCtl(set, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.fd)})
		if err != nil {
			return fmt.Errorf("listen for RTP: %w", err)
		}
		e.all[int32(s.fd)] = r
		return nil
	})
}

// remove ends it. When it returns, the socket is not read any more.
func (e *ears) remove(s socket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.control(func(set int) error { return unix.EpollCtl(set, unix.EPOLL_CTL_DEL, s.fd, nil) })
	delete(e.all, int32(s.fd))
}

func (e *ears) control(do func(set int) error) (err error) {
	if e := e.raw.Control(func(fd uintptr) { err = do(int(fd)) }); e != nil {
		return e
	}
	return err
}

// run is the ears' goroutine. It ends soon after ctx is done and wake was called.
func (e *ears) run(ctx context.Context) {
	for {
		e.arm()
		if ctx.Err() != nil {
			return
		}
		err := e.raw.Read(func(set uintptr) bool { return e.look(int(set)) })
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			e.silence()
		case err != nil:
			return
		default:
			runtime.Gosched() // also lets another thread wait for the network
		}
	}
}

// wake makes run look at its context.
func (e *ears) wake() { _ = e.set.SetReadDeadline(time.Unix(1, 0)) }

// arm sets the alarm.
func (e *ears) arm() {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := time.Time{}
	if !e.alarm.IsZero() {
		at = time.Now().Add(max(e.alarm.Sub(e.cfg.Now()), time.Millisecond))
	}
	_ = e.set.SetReadDeadline(at)
}

// look reads what has come, and says whether anything had. It does not hand the processor over, as blocking system calls
// do: it takes some microseconds a datagram.
func (e *ears) look(set int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(set), uintptr(unsafe.Pointer(&e.events[0])), atOnce, 0, 0, 0)
	if errno != 0 {
		return errno == unix.EINTR
	}
	for _, ev := range e.events[:n] {
		r := e.all[ev.Fd]
		if r == nil {
			continue
		}
		if quiet := e.read(int(ev.Fd), r); e.alarm.IsZero() {
			e.alarm = quiet
		}
	}
	return n > 0
}

// read takes one datagram, or an error, and says when silence ends the callee's speech.
func (e *ears) read(fd int, r *receiver) (quiet time.Time) {
	n, from, errno := receive(fd, e.buf[:])
	switch errno {
	case 0:
		return r.take(e.buf[:n], from, e.cfg.Now())
	case unix.EINTR:
	case unix.EAGAIN: // the sender met the error first
		drain(fd)
	default: // an ICMP error about a packet of ours says nothing about the call, which goes on
		r.refuse()
		drain(fd)
	}
	return time.Time{}
}

// silence ends the speech of who sends nothing any more, and sets the alarm for the next.
func (e *ears) silence() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.alarm = time.Time{}
	now := e.cfg.Now()
	for _, r := range e.all {
		if quiet := r.silence(now); !quiet.IsZero() && (e.alarm.IsZero() || quiet.Before(e.alarm)) {
			e.alarm = quiet
		}
	}
}

func receive(fd int, buf []byte) (int, netip.AddrPort, syscall.Errno) {
	var from unix.RawSockaddrInet6 // large enough for both families
	size := uint32(unsafe.Sizeof(from))
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)),
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, netip.AddrPort{}, errno
	}
	if from.Family == unix.AF_INET {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&from))
		return int(n), netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), networkOrder(v4.Port)), 0
	}
	return int(n), netip.AddrPortFrom(netip.AddrFrom16(from.Addr), networkOrder(from.Port)), 0
}
