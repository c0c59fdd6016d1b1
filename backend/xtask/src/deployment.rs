//! What can be known about the container files without a container engine.
