"""What panels are made of: work in threads, what it tells, and pictures of it as HTML. No JavaScript of our own."""
