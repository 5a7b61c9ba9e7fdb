package progress

import (
	"encoding/json"
	"io"
)

// JSON writes one object a line: event is plan, progress, file, note, done or error.
type JSON struct{ Out io.Writer }

type event struct {
	Event    string  `json:"event"`
	Path     string  `json:"path,omitempty"`
	Size     *int64  `json:"size,omitempty"`
	How      string  `json:"how,omitempty"`
	Revision string  `json:"revision,omitempty"`
	Message  string  `json:"message,omitempty"`
	ExitCode int     `json:"exitCode,omitempty"`
	Seconds  float64 `json:"seconds,omitempty"`
	*Snapshot
}

func (j JSON) Planned(s Snapshot, revision string) {
	j.write(event{Event: "plan", Revision: revision, Snapshot: &s})
}

func (j JSON) File(path string, size int64, how string) {
	j.write(event{Event: "file", Path: path, Size: &size, How: how})
}

func (j JSON) Note(line string) { j.write(event{Event: "note", Message: line}) }
func (j JSON) Tick(s Snapshot) {
	j.write(event{Event: "progress", Seconds: s.Elapsed.Seconds(), Snapshot: &s})
}
func (j JSON) Done(s Snapshot) {
	j.write(event{Event: "done", Seconds: s.Elapsed.Seconds(), Snapshot: &s})
}

func (j JSON) Failed(line string, exitCode int) {
	j.write(event{Event: "error", Message: line, ExitCode: exitCode})
}

func (j JSON) write(e event) { _ = json.NewEncoder(j.Out).Encode(e) }
