"""Paraformer on ONNX Runtime: front end, streaming state, whole-utterance recognition, model directories."""
