"""Characters to retarget to: other people than the demo head, with the controls of other conventions."""
