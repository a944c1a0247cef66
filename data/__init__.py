"""What a labelled sentence is: loading, checking and splitting the composed data set."""
