// Package admit speaks admission.k8s.io/v1: it reads a review, asks a handler, writes the answer.
package admit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	admission "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// maxBytes is more than the API server takes of an object (3 MiB), twice: an update has the old one too.
const maxBytes = 8 << 20

// Answer is what a handler says to an object.
type Answer struct {
	// Refused is why the object is not let in; nil lets it in.
	Refused error
	// Warnings are shown to who sent it.
	Warnings []string
	// Changed is a JSON patch (RFC 6902); nil leaves the object as it is.
	Changed []byte
}

// Handler answers a request. An error is a fault of ours: what it means is for the policy.
type Handler func(*admission.AdmissionRequest) (Answer, error)

// Policy says what becomes of an object where no answer can be given.
type Policy int

const (
	// Closed lets nothing in that was not looked at.
	Closed Policy = iota
	// Open lets it in as it is.
	Open
)

// Serve makes a handler an HTTP handler. Even a panic is answered by the policy.
func Serve(handler Handler, policy Policy, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		review, err := read(request)
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := ask(handler, review.Request)
		if err != nil {
			log.Error("No answer", "kind", review.Request.Kind.Kind, "namespace", review.Request.Namespace,
				"name", review.Request.Name, "error", err)
			answer = Answer{}
			if policy == Closed {
				answer.Refused = fmt.Errorf("the webhook has a fault: %w", err)
			}
		}
		review.Response = response(review.Request, answer)
		review.Request = nil
		writer.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(writer).Encode(review); err != nil {
			log.Warn("The answer was not taken", "error", err)
		}
	})
}

func read(request *http.Request) (*admission.AdmissionReview, error) {
	if request.Method != http.MethodPost {
		return nil, errors.New("an AdmissionReview is sent by POST")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, request.Body, maxBytes))
	if err != nil {
		return nil, err
	}
	review := &admission.AdmissionReview{}
	if err := json.Unmarshal(body, review); err != nil {
		return nil, fmt.Errorf("this is no AdmissionReview: %w", err)
	}
	if review.Kind != "AdmissionReview" || review.APIVersion != admission.SchemeGroupVersion.String() || review.Request == nil {
		return nil, errors.New("this is no AdmissionReview of admission.k8s.io/v1")
	}
	return review, nil
}

func ask(handler Handler, request *admission.AdmissionRequest) (answer Answer, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	return handler(request)
}

func response(request *admission.AdmissionRequest, answer Answer) *admission.AdmissionResponse {
	response := &admission.AdmissionResponse{UID: request.UID, Allowed: answer.Refused == nil, Warnings: answer.Warnings}
	if answer.Refused != nil {
		response.Result = &metav1.Status{
			Status: metav1.StatusFailure, Message: answer.Refused.Error(),
			Reason: metav1.StatusReasonInvalid, Code: http.StatusUnprocessableEntity,
		}
	}
	if answer.Changed != nil {
		kind := admission.PatchTypeJSONPatch
		response.PatchType, response.Patch = &kind, answer.Changed
	}
	return response
}

// Decode reads the request's object; its fault is the sender's, or the API server's.
func Decode[T any](raw runtime.RawExtension) (*T, error) {
	into := new(T)
	if err := json.Unmarshal(raw.Raw, into); err != nil {
		return nil, fmt.Errorf("the object can't be read: %w", err)
	}
	return into, nil
}
