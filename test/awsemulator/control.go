package awsemulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
)

// ControlPath is the path of the endpoints that query and change the emulator
// itself.
const ControlPath = "/_emulator/"

// newControl routes the control endpoint. Everything is JSON; durations are
// written like "30s".
func (s *Server) newControl() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { writeControl(w, r, f) })
	}
	handle("GET /_emulator/health", s.controlHealth)
	handle("GET /_emulator/operations", func(*http.Request) (any, error) { return s.Operations(), nil })
	handle("GET /_emulator/calls", func(*http.Request) (any, error) { return s.Calls(), nil })
	handle("GET /_emulator/calls/log", s.controlCallLog)
	handle("DELETE /_emulator/calls", s.controlResetCalls)
	handle("POST /_emulator/calls/reset", s.controlResetCalls)
	handle("GET /_emulator/faults", func(*http.Request) (any, error) { return s.Faults(), nil })
	handle("POST /_emulator/faults", s.controlAddFault)
	handle("DELETE /_emulator/faults", s.controlRemoveFault)
	handle("DELETE /_emulator/faults/{id}", s.controlRemoveFault)
	handle("GET /_emulator/settings", func(*http.Request) (any, error) { return s.settings(), nil })
	handle("POST /_emulator/settings", s.controlSettings)
	handle("POST /_emulator/clock/advance", s.controlAdvance)
	handle("POST /_emulator/may", s.controlMay)
	handle("GET /_emulator/accounts/{account}/iam", s.controlIAM)
	handle("POST /_emulator/accounts/{account}/quotas", s.controlQuotas)
	handle("POST /_emulator/accounts/{account}/settings", s.controlEvaluate)
	handle("POST /_emulator/accounts", s.controlAddAccount)
	const region = "/_emulator/accounts/{account}/regions/{region}/"
	handle("GET "+region+"nodes", s.controlNodes)
	handle("POST "+region+"nodes", s.controlAddNodes)
	handle("PATCH "+region+"nodes/{node}", s.controlNode)
	handle("GET "+region+"network/causes", s.controlCauses)
	handle("GET "+region+"network/broken", s.controlBroken)
	handle("POST "+region+"network/broken", s.controlBreak)
	handle("DELETE "+region+"network/broken", s.controlMend)
	handle("GET "+region+"sessions", s.controlSessions)
	handle("POST "+region+"sessions", s.controlOpenSession)
	handle("DELETE "+region+"sessions/{session}", s.controlEndSession)
	handle("POST "+region+"sessions/{session}/cut", s.controlCutSession)
	handle("POST "+region+"register", s.controlRegister)
	handle("GET "+region+"activations", s.controlActivations)
	handle("GET "+region+"documents", s.controlDocuments)
	handle("POST "+region+"documents/next", s.controlNextDocument)
	handle("GET "+region+"tier", s.controlTier)
	handle("POST "+region+"tier", s.controlSetTier)
	handle("POST "+region+"limits", s.controlLimits)
	return mux
}

// writeControl writes what f answers. All that can go wrong here is the
// request.
func writeControl(w http.ResponseWriter, r *http.Request, f func(*http.Request) (any, error)) {
	w.Header().Set("Content-Type", "application/json")
	out, err := f(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"error": err.Error()}
	}
	if out == nil {
		out = struct{}{}
	}
	body, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		body = fmt.Appendf(nil, `{"error": %q}`, err)
	}
	// A client that has gone away is no concern of the server's.
	_, _ = w.Write(append(body, '\n'))
}

// readControl reads a request's body; a field that it does not have is an
// error.
func readControl[T any](r *http.Request) (T, error) {
	var in T
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return in, fmt.Errorf("read the request: %w", err)
	}
	return in, nil
}

func (s *Server) controlHealth(*http.Request) (any, error) {
	var ids []string
	for _, a := range s.Accounts() {
		ids = append(ids, a.ID)
	}
	return map[string]any{"ok": true, "time": s.clock.Now(), "accounts": ids}, nil
}

func (s *Server) controlCallLog(r *http.Request) (any, error) {
	since := 0
	if text := r.URL.Query().Get("since"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		since = n
	}
	return s.CallLog(since), nil
}

func (s *Server) controlResetCalls(*http.Request) (any, error) {
	s.ResetCalls()
	return nil, nil
}

func (s *Server) controlAddFault(r *http.Request) (any, error) {
	f, err := readControl[faults.Fault](r)
	if err != nil {
		return nil, err
	}
	id, err := s.Inject(f)
	return map[string]string{"id": id}, err
}

func (s *Server) controlRemoveFault(r *http.Request) (any, error) {
	return map[string]bool{"removed": s.RemoveFault(r.PathValue("id"))}, nil
}

func (s *Server) controlAdvance(r *http.Request) (any, error) {
	in, err := readControl[struct {
		By faults.Duration `json:"by"`
	}](r)
	if err != nil {
		return nil, err
	}
	s.Advance(time.Duration(in.By))
	return map[string]time.Time{"time": s.clock.Now()}, nil
}

func (s *Server) controlMay(r *http.Request) (any, error) {
	q, err := readControl[Question](r)
	if err != nil {
		return nil, err
	}
	return s.May(q)
}
