"""What a trained model is: the network, the bundle on disk, prediction. Only `models.network` needs torch."""
