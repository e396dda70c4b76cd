package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/conductorone/baton-sdk/pkg/ratelimit"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/stats"
)

type dialOptions struct {
	targets      string // one, or several with commas between them
	caFile       string
	certFile     string
	keyFile      string
	serverName   string
	waitForReady bool
}

// The engine asks the rate limiter before every call and takes one failed answer for the end of the
// sync. Where a test restarts the server under a running sync, this policy bridges the gap.
const retryRateLimiter = `"methodConfig":[{
	"name":[{"service":"c1.ratelimit.v1.RateLimiterService"}],
	"waitForReady":true,
	"retryPolicy":{"maxAttempts":5,"initialBackoff":"0.2s","maxBackoff":"2s","backoffMultiplier":2,
		"retryableStatusCodes":["UNAVAILABLE"]}}]`

const roundRobin = `"loadBalancingConfig":[{"round_robin":{}}]`

// dial connects the way the SDK's own runner does, its rate-limit interceptor included. Of several
// servers each call goes to the next one that can be reached, as with a name that has several addresses.
func dial(o dialOptions, traffic *traffic) (*grpc.ClientConn, error) {
	creds, err := transportCredentials(o)
	if err != nil {
		return nil, err
	}
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithChainUnaryInterceptor(ratelimit.UnaryInterceptor(time.Now)),
		grpc.WithStatsHandler(traffic),
	}
	target, servers := o.targets, strings.Split(o.targets, ",")
	var config []string
	if len(servers) > 1 {
		list := manual.NewBuilderWithScheme("list")
		state := resolver.State{}
		for _, s := range servers {
			state.Addresses = append(state.Addresses, resolver.Address{Addr: s})
		}
		list.InitialState(state)
		target = "list:///servers"
		config = append(config, roundRobin)
		opts = append(opts, grpc.WithResolvers(list), grpc.WithAuthority(servers[0]))
	}
	if o.waitForReady {
		config = append(config, retryRateLimiter)
		opts = append(opts, grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	}
	opts = append(opts, grpc.WithDefaultServiceConfig("{"+strings.Join(config, ",")+"}"))
	return grpc.NewClient(target, opts...)
}

func transportCredentials(o dialOptions) (credentials.TransportCredentials, error) {
	if o.caFile == "" {
		return insecure.NewCredentials(), nil
	}
	pem, err := os.ReadFile(o.caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", o.caFile)
	}
	cfg := &tls.Config{RootCAs: roots, ServerName: o.serverName, MinVersion: tls.VersionTLS12}
	if o.certFile != "" {
		pair, err := tls.LoadX509KeyPair(o.certFile, o.keyFile)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(cfg), nil
}

// traffic counts calls per method and per server, and remembers the largest reply (the engine refuses 4 MiB).
type traffic struct {
	mu       sync.Mutex
	calls    map[string]int64
	servers  map[string]int64
	maxReply int64
}

type methodKey struct{}

func newTraffic() *traffic {
	return &traffic{calls: map[string]int64{}, servers: map[string]int64{}}
}

func (t *traffic) totals(out *summary) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out.RPCs, out.Servers, out.MaxReplyBytes = t.calls, t.servers, t.maxReply
}

func (t *traffic) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, methodKey{}, path.Base(info.FullMethodName))
}

func (t *traffic) HandleRPC(ctx context.Context, s stats.RPCStats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch s := s.(type) {
	case *stats.Begin:
		method, _ := ctx.Value(methodKey{}).(string)
		t.calls[method]++
	case *stats.OutHeader:
		t.servers[s.RemoteAddr.String()]++
	case *stats.InPayload:
		t.maxReply = max(t.maxReply, int64(s.Length))
	}
}

func (t *traffic) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (t *traffic) HandleConn(context.Context, stats.ConnStats)                       {}
