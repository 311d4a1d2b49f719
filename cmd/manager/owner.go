package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ownerID is the id that the flag gives, or the first 8 hex digits of the
// SHA-256 of the UID of the kube-system namespace, which lives as long as the
// cluster does.
func ownerID(ctx context.Context, c client.Reader, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	namespace := &corev1.Namespace{}
	if err := c.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, namespace); err != nil {
		return "", fmt.Errorf("read namespace kube-system to make the owner id; allow it, or give --owner-id: %w", err)
	}
	sum := sha256.Sum256([]byte(namespace.UID))
	return hex.EncodeToString(sum[:4]), nil
}
