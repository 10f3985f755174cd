"""Fine-tuning: a regressor's light head adapted to an actor or a studio from labelled frames."""
