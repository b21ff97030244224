"""The competitors, one module each, behind one interface."""
