"""The folder of a release, `dist/`: what `make dist` leaves there. `make reproducible` asks whether it is the same twice."""
