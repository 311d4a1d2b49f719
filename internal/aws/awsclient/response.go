package awsclient

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// EmptyAnswerError reports a success of AWS without a body, or with white space alone.
// Every operation that the operator calls answers with more. The SDK reads such an
// answer as empty lists: no users, no sessions. A proxy on the way answers so.
type EmptyAnswerError struct{ Status int }

// Error implements error.
func (e *EmptyAnswerError) Error() string {
	return fmt.Sprintf("the answer with status %d has no body, so it may not be AWS's: look for a proxy between the operator and AWS", e.Status)
}

// wholeAnswer refuses successes without a body, because absence is decided by
// what an answer does not list.
type wholeAnswer struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (w wholeAnswer) Do(request *http.Request) (*http.Response, error) {
	response, err := w.client.Do(request)
	if err != nil || response.StatusCode/100 != 2 || request.Method == http.MethodHead {
		return response, err
	}
	body := bufio.NewReader(response.Body)
	if blank(body) {
		_ = response.Body.Close() // There is nothing left to read.
		return nil, &EmptyAnswerError{Status: response.StatusCode}
	}
	response.Body = readCloser{body, response.Body} // Any other error occurs again at the next read.
	return response, nil
}

// blank skips white space, and reports whether nothing follows. Neither JSON nor XML
// needs what it skips.
func blank(body *bufio.Reader) bool {
	for {
		next, err := body.Peek(1)
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if !unicode.IsSpace(rune(next[0])) {
			return false
		}
		_, _ = body.Discard(1) // It was peeked at.
	}
}

type readCloser struct {
	io.Reader
	io.Closer
}
