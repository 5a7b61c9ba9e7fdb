package cli

import (
	"context"
	"fmt"

	"waybill/downloader/internal/fault"
	"waybill/downloader/internal/plan"
	"waybill/downloader/internal/progress"
	"waybill/downloader/internal/store"
	"waybill/downloader/internal/transfer"
	"waybill/downloader/internal/web"
)

func (p program) download(args []string) int {
	o, err := parseDownload(args, p.out)
	if err != nil {
		return p.fail(err)
	}
	display, every, err := progress.Choose(o.progress, p.out, p.err)
	if err != nil {
		return p.fail(err)
	}
	ctx, release := stoppable()
	defer release()
	meter := progress.New(display, every)
	if err := p.fetch(ctx, o, meter); err != nil {
		meter.Failed(lineOf(err), fault.ExitCode(err))
		return p.fail(err)
	}
	meter.Done()
	return 0
}

// fetch is plan, check, lock, transfer, record.
func (p program) fetch(ctx context.Context, o options, meter *progress.Meter) error {
	client := web.New(web.Options{Insecure: o.insecure, Silence: o.timeout, Retries: o.retries, FirstWait: o.retryWait,
		Connections: o.threadness, Note: meter.Note})
	source, err := p.source(o, client)
	if err != nil {
		return err
	}
	todo, err := makePlan(ctx, o, source)
	if err != nil {
		return err
	}
	folder, err := store.Create(o.outputDir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Lock(ctx, o.lockWait, meter.Note); err != nil {
		return err
	}
	t := &transfer.Transfer{Client: client, Folder: folder, Meter: meter, Connections: o.threadness,
		ChunkSize: int64(o.chunkSize), Quick: o.verify == "quick"}
	if err := folder.CheckSpace(t.Needed(todo.Files)); err != nil {
		return err
	}
	meter.Planned(len(todo.Files), todo.Bytes(), todo.Revision)
	folder.Begin()
	done, err := t.Run(ctx, todo.Files)
	if err != nil {
		return err
	}
	return folder.End(store.Complete{Type: o.kind, Name: o.names, Revision: todo.Revision, Files: done})
}

func makePlan(ctx context.Context, o options, source plan.Source) (plan.Plan, error) {
	filter := plan.Filter{Include: o.include, Exclude: o.exclude}
	if err := filter.Check(); err != nil {
		return plan.Plan{}, err
	}
	all, err := source.Plan(ctx)
	if err != nil {
		return all, err
	}
	if all, err = all.Check(); err != nil {
		return all, err
	}
	offered := len(all.Files)
	all.Files = filter.Apply(all.Files)
	if len(all.Files) == 0 {
		return all, &fault.Error{Kind: fault.NotFound, What: fmt.Sprintf("none of %d files is wanted", offered), Mend: "loosen --include and --exclude"}
	}
	return all, nil
}
