"""Settings, data, the exact denoiser and the field: numpy and scipy, no torch and no Qt."""
