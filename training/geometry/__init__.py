"""The `geometry` regressor: AU values from landmarks alone, learnt with the tracker's own errors."""
