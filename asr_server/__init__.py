"""The reference server: a streaming Paraformer behind the FunASR WebSocket protocol."""
