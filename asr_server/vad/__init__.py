"""Streaming voice activity detection: by energy, or by FunASR's FSMN network, behind one interface."""
