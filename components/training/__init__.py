"""How a network is fed, trained, watched and exported; shared by the Trainer and the Tuner."""
