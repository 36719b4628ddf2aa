"""What a spend costs beside its peers, measured in the same minute on the same server. See README.md."""
