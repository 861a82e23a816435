"""Which code keeps the memory that grows: the same load again, under an allocator that knows its callers."""
