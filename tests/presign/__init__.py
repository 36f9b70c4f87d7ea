"""The presigned URL of CopySnapshot, held against botocore's own."""
