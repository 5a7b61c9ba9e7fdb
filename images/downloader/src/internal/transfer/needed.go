package transfer

import "waybill/downloader/internal/plan"

// Needed is how many bytes of disk the plan still takes, as far as its sizes are known: a file of the right
// size counts as there, and what an earlier run left is there already.
func (t *Transfer) Needed(files []plan.File) int64 {
	var sum int64
	for _, file := range files {
		if info, err := t.Folder.Stat(file.Path); err == nil && info.Size() == file.Size {
			continue
		}
		left := file.Size
		if record := t.Folder.Record(file.Path); !record.Done && record.Identity == identity(file) {
			left -= record.Got()
		}
		sum += max(left, 0)
	}
	return sum
}
