package main

import (
	"fmt"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger writes structured lines to standard error.
func newLogger(level, format string) (logr.Logger, error) {
	parsed, err := zapcore.ParseLevel(level)
	if err != nil {
		return logr.Logger{}, fmt.Errorf("--log-level %q is not one of debug, info, warn and error", level)
	}
	config := zap.NewProductionConfig()
	switch format {
	case "json":
	case "console":
		config.Encoding = "console"
		config.EncoderConfig = zap.NewDevelopmentEncoderConfig()
	default:
		return logr.Logger{}, fmt.Errorf("--log-format %q is neither json nor console", format)
	}
	config.Level = zap.NewAtomicLevelAt(parsed)
	config.EncoderConfig.EncodeTime = zapcore.RFC3339TimeEncoder
	config.DisableStacktrace = true
	config.Sampling = nil
	logger, err := config.Build()
	if err != nil {
		return logr.Logger{}, fmt.Errorf("build the logger: %w", err)
	}
	return zapr.NewLogger(logger), nil
}
