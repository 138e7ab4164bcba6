"""Which pixels drive a prediction: from images and models to maps, without a catalogue."""
