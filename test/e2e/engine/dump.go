package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sort"

	v2 "github.com/conductorone/baton-sdk/pb/c1/connector/v2"
	"github.com/conductorone/baton-sdk/pkg/dotc1z"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// page is one answer of the store; every listing of it pages the same way.
type page struct {
	kind  string
	types []string // resource type each item is counted under
	items []proto.Message
	next  string
}

type lister func(ctx context.Context, token string) (page, error)

// dumpC1Z counts what the newest finished sync in the file holds, per kind and resource type, and
// writes it to out (if given): one JSON object a line, keys sorted, lines sorted, so that two
// syncs that found the same give the same bytes.
//
// The file keeps references, not copies: the resource of an entitlement, the principal and the
// entitlement of a grant come back as bare ids, grantable_to as type ids.
func dumpC1Z(ctx context.Context, c1z, out string) (counts map[string]map[string]int, err error) {
	tmp, err := os.MkdirTemp(filepath.Dir(c1z), "enginesync-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	store, err := dotc1z.NewStore(ctx, c1z, dotc1z.WithReadOnly(true), dotc1z.WithTmpDir(tmp))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close(ctx)) }()

	listers := []lister{
		func(ctx context.Context, token string) (page, error) {
			r, err := store.ListResourceTypes(ctx,
				v2.ResourceTypesServiceListResourceTypesRequest_builder{PageToken: token}.Build())
			return newPage("resource_type", r.GetList(), r.GetNextPageToken(), (*v2.ResourceType).GetId), err
		},
		func(ctx context.Context, token string) (page, error) {
			r, err := store.ListResources(ctx,
				v2.ResourcesServiceListResourcesRequest_builder{PageToken: token}.Build())
			return newPage("resource", r.GetList(), r.GetNextPageToken(), resourceType), err
		},
		func(ctx context.Context, token string) (page, error) {
			r, err := store.ListEntitlements(ctx,
				v2.EntitlementsServiceListEntitlementsRequest_builder{PageToken: token}.Build())
			return newPage("entitlement", r.GetList(), r.GetNextPageToken(), entitlementType), err
		},
		func(ctx context.Context, token string) (page, error) {
			r, err := store.ListGrants(ctx,
				v2.GrantsServiceListGrantsRequest_builder{PageToken: token}.Build())
			return newPage("grant", r.GetList(), r.GetNextPageToken(), grantType), err
		},
	}

	counts = map[string]map[string]int{}
	var lines []string
	for _, list := range listers {
		for token := ""; ; {
			p, err := list(ctx, token)
			if err != nil {
				return nil, err
			}
			if counts[p.kind] == nil {
				counts[p.kind] = map[string]int{}
			}
			for i, m := range p.items {
				counts[p.kind][p.types[i]]++
				if out == "" {
					continue
				}
				line, err := canonicalLine(p.kind, m)
				if err != nil {
					return nil, err
				}
				lines = append(lines, line)
			}
			if token = p.next; token == "" {
				break
			}
		}
	}
	if out == "" {
		return counts, nil
	}
	sort.Strings(lines)
	return counts, writeLines(out, lines)
}

func resourceType(r *v2.Resource) string       { return r.GetId().GetResourceType() }
func entitlementType(e *v2.Entitlement) string { return resourceType(e.GetResource()) }
func grantType(g *v2.Grant) string             { return entitlementType(g.GetEntitlement()) }

func newPage[M proto.Message](kind string, list []M, next string, typeOf func(M) string) page {
	p := page{kind: kind, next: next}
	for _, m := range list {
		p.items = append(p.items, m)
		p.types = append(p.types, typeOf(m))
	}
	return p
}

// canonicalLine is the message as one line of JSON. protojson varies its white space on purpose, so
// the text goes through encoding/json once more, which also sorts the keys.
func canonicalLine(kind string, m proto.Message) (string, error) {
	raw, err := protojson.Marshal(m)
	if err != nil {
		return "", err
	}
	var fields map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		return "", err
	}
	fields["kind"] = kind

	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fields); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(line.Bytes(), []byte("\n"))), nil
}

func writeLines(file string, lines []string) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	for _, line := range lines {
		if _, err := w.WriteString(line + "\n"); err != nil {
			return err
		}
	}
	return w.Flush()
}
