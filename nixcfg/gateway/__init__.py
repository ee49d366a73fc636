"""The gateway itself: started here, or asked where it runs."""
