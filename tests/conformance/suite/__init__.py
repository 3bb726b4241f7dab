"""What engines and kinds of frames are asked to do alike, and what does it: cases as data, and one program."""
