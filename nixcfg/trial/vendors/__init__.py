"""What stand-ins for vendors answer: one module for each family of APIs."""
