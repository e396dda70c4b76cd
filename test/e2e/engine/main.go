// Command enginesync is the real sync engine as a test client: it dials a running server, runs the
// SDK's syncer into a c1z file, and prints what the file holds as JSON lines that a test can compare.
//
//	enginesync --target 127.0.0.1:50051[,127.0.0.1:50052...] --c1z out.c1z [--dump out.jsonl] [--workers 8] [--expand]
//	enginesync dump --c1z out.c1z --dump out.jsonl
//
// The last line on stdout is a JSON summary; the exit code is non-zero when the sync failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/conductorone/baton-sdk/pkg/connectorclient"
	"github.com/conductorone/baton-sdk/pkg/sync"
	"github.com/grpc-ecosystem/go-grpc-middleware/logging/zap/ctxzap"
	"go.uber.org/zap"
	"google.golang.org/grpc/status"
)

type options struct {
	dial    dialOptions
	c1z     string
	dump    string
	workers int
	expand  bool
	timeout time.Duration
	verbose bool
}

// summary is what the tests read from the last line of stdout.
type summary struct {
	OK            bool                      `json:"ok"`
	Error         string                    `json:"error"`
	Code          string                    `json:"code"` // gRPC code name of Error, if it carries one
	ElapsedMS     int64                     `json:"elapsed_ms"`
	RPCs          map[string]int64          `json:"rpcs"`
	Servers       map[string]int64          `json:"servers"` // address -> calls sent to it
	MaxReplyBytes int64                     `json:"max_reply_bytes"`
	Counts        map[string]map[string]int `json:"counts"` // kind -> resource type -> n
}

func main() {
	args := os.Args[1:]
	dumpOnly := len(args) > 0 && args[0] == "dump"
	if dumpOnly {
		args = args[1:]
	}

	var o options
	fs := flag.NewFlagSet("enginesync", flag.ExitOnError)
	fs.StringVar(&o.dial.targets, "target", "",
		"server address: host:port or unix:/path; or several host:port, with commas, that take the calls in turn")
	fs.StringVar(&o.dial.caFile, "tls-ca-file", "", "CA of the server's certificate; switches TLS on")
	fs.StringVar(&o.dial.certFile, "tls-cert-file", "", "client certificate")
	fs.StringVar(&o.dial.keyFile, "tls-key-file", "", "client key")
	fs.StringVar(&o.dial.serverName, "tls-server-name", "", "name expected in the server's certificate")
	fs.BoolVar(&o.dial.waitForReady, "wait-for-ready", false,
		"wait for a restarting server instead of failing (a plain engine does not)")
	fs.StringVar(&o.c1z, "c1z", "", "c1z file to write (or, with dump, to read)")
	fs.StringVar(&o.dump, "dump", "", "write the content of the c1z file as sorted JSON lines")
	fs.IntVar(&o.workers, "workers", 1, "parallel cursors")
	fs.BoolVar(&o.expand, "expand", false, "expand grants after the sync")
	fs.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this time")
	fs.BoolVar(&o.verbose, "verbose", false, "log what the engine logs at info level, not only warnings")
	_ = fs.Parse(args) // ExitOnError

	if o.c1z == "" || fs.NArg() != 0 || (o.dial.targets == "") != dumpOnly {
		fmt.Fprintln(os.Stderr, "enginesync: --c1z and, unless dumping only, --target are needed")
		fs.Usage()
		os.Exit(2)
	}
	os.Exit(run(o, dumpOnly))
}

func run(o options, dumpOnly bool) int {
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	ctx = ctxzap.ToContext(ctx, newLogger(o.verbose))

	out := summary{RPCs: map[string]int64{}}
	start := time.Now()
	var err error
	if !dumpOnly {
		err = runSync(ctx, o, &out)
	}
	out.ElapsedMS = time.Since(start).Milliseconds()
	if err == nil {
		out.Counts, err = dumpC1Z(ctx, o.c1z, o.dump)
	}

	out.OK = err == nil
	if err != nil {
		out.Error = err.Error()
		if s, ok := status.FromError(err); ok {
			out.Code = s.Code().String()
		}
		fmt.Fprintln(os.Stderr, "enginesync:", err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil || !out.OK {
		return 1
	}
	return 0
}

func runSync(ctx context.Context, o options, out *summary) (err error) {
	traffic := newTraffic()
	defer traffic.totals(out)

	conn, err := dial(o.dial, traffic)
	if err != nil {
		return err
	}
	defer conn.Close()

	tmp, err := os.MkdirTemp(filepath.Dir(o.c1z), "enginesync-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	opts := []sync.SyncOpt{sync.WithC1ZPath(o.c1z), sync.WithTmpDir(tmp), sync.WithWorkerCount(o.workers)}
	if !o.expand {
		opts = append(opts, sync.WithDontExpandGrants())
	}
	syncer, err := sync.NewSyncer(ctx, connectorclient.NewConnectorClient(ctx, conn), opts...)
	if err != nil {
		return err
	}
	if err := syncer.Sync(ctx); err != nil {
		_ = syncer.Close(ctx) // the sync's own error is the one that tells something
		return err
	}
	if err := syncer.Close(ctx); err != nil {
		return fmt.Errorf("closing the c1z file: %w", err)
	}
	if _, err := os.Stat(o.c1z); err != nil {
		return errors.New("the sync succeeded but left no c1z file")
	}
	return nil
}

func newLogger(verbose bool) *zap.Logger {
	cfg := zap.NewProductionConfig()
	cfg.Level = zap.NewAtomicLevelAt(zap.WarnLevel)
	if verbose {
		cfg.Level = zap.NewAtomicLevelAt(zap.InfoLevel)
	}
	cfg.Sampling = nil
	cfg.DisableStacktrace = true
	cfg.OutputPaths = []string{"stderr"}
	logger, err := cfg.Build()
	if err != nil {
		panic(err) // the configuration above is constant
	}
	return logger
}
