"""The steps that join the rooms: samples of the study in, the method in the middle, files of the study out."""
